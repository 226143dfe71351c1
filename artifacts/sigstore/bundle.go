package sigstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/netbootkit/netbootkit/artifacts"
)

// An Identity is who must have signed, as the certificate says. Of each pair
// one is needed; expressions match anywhere unless they are anchored.
type Identity struct {
	Issuer       string // who vouches for the subject, such as https://token.actions.githubusercontent.com
	IssuerRegexp string
	Subject      string // such as the URL of a workflow, or an address of electronic mail
	// SubjectRegexp is an expression, such as ^https://github\.com/kairos-io/kairos/\.github/workflows/.
	SubjectRegexp string
}

// Bundles is a verifier of Sigstore bundles.
type Bundles struct {
	verifier   *verify.Verifier
	identities []verify.PolicyOption
}

var _ artifacts.Verifier = (*Bundles)(nil)

// NewBundles returns a verifier of bundles signed by one of the identities,
// with certificates of an authority in trusted. Without rules, a bundle needs
// a certificate that a certificate transparency log has, an entry in a
// signature transparency log, and a time from either that or an authority.
func NewBundles(trusted root.TrustedMaterial, identities []Identity, rules ...verify.VerifierOption) (*Bundles, error) {
	if len(rules) == 0 {
		rules = []verify.VerifierOption{
			verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1),
		}
	}
	verifier, err := verify.NewVerifier(trusted, rules...)
	if err != nil {
		return nil, fmt.Errorf("sigstore: %w", err)
	}
	if len(identities) == 0 {
		return nil, errors.New("sigstore: no identity is trusted")
	}
	b := &Bundles{verifier: verifier}
	for _, id := range identities {
		who, err := verify.NewShortCertificateIdentity(id.Issuer, id.IssuerRegexp, id.Subject, id.SubjectRegexp)
		if err != nil {
			return nil, fmt.Errorf("sigstore: identity: %w", err)
		}
		b.identities = append(b.identities, verify.WithCertificateIdentity(who))
	}
	return b, nil
}

// Verify implements [artifacts.Verifier]. It does not read the content, of
// which the store computed the digest.
func (b *Bundles) Verify(ctx context.Context, src artifacts.Source, info artifacts.Info, _ io.Reader) error {
	data, err := readBeside(ctx, src, info.Name, ".sigstore.json", ".sigstore", ".bundle")
	if err != nil {
		return err
	}
	signed := new(bundle.Bundle)
	if err := signed.UnmarshalJSON(data); err != nil {
		return fmt.Errorf("sigstore: bundle: %w", err)
	}
	sum, err := hex.DecodeString(info.Digest.Hex())
	if err != nil {
		return fmt.Errorf("sigstore: %w", err)
	}
	policy := verify.NewPolicy(verify.WithArtifactDigest(info.Digest.Algorithm(), sum), b.identities...)
	if _, err := b.verifier.Verify(signed, policy); err != nil {
		return fmt.Errorf("sigstore: bundle: %w", err)
	}
	return nil
}
