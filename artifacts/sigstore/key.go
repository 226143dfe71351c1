package sigstore

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/netbootkit/netbootkit/artifacts"
)

// PublicKey is a verifier of signatures made with a key, as cosign makes them
// of files.
type PublicKey struct{ verifier signature.Verifier }

var _ artifacts.Verifier = (*PublicKey)(nil)

// NewPublicKey returns a verifier for the key in pem: ECDSA, RSA with PKCS #1
// v1.5, each over SHA-256, or Ed25519.
func NewPublicKey(pem []byte) (*PublicKey, error) {
	key, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return nil, fmt.Errorf("sigstore: public key: %w", err)
	}
	verifier, err := signature.LoadVerifier(key, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sigstore: public key: %w", err)
	}
	return &PublicKey{verifier: verifier}, nil
}

// Verify implements [artifacts.Verifier]. The signature is in base64, as
// cosign writes it, or as it is.
func (k *PublicKey) Verify(ctx context.Context, src artifacts.Source, info artifacts.Info, r io.Reader) error {
	sig, err := readBeside(ctx, src, info.Name, ".sig")
	if err != nil {
		return err
	}
	if plain, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(sig))); err == nil {
		sig = plain
	}
	if err := k.verifier.VerifySignature(bytes.NewReader(sig), r); err != nil {
		return fmt.Errorf("sigstore: signature: %w", err)
	}
	return nil
}
