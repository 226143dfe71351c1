package sigstore_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/sigstore"
)

const (
	issuer   = "https://token.actions.githubusercontent.com"
	workflow = "https://github.com/kairos-io/kairos/.github/workflows/release.yaml@refs/tags/v3.3.1"
)

// testRules leave out the certificate transparency log, which the authority
// of the tests does not have.
func testRules() []verify.VerifierOption {
	return []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1)}
}

// encode writes what the authority signed as a file beside the other.
func encode(t *testing.T, authority *ca.VirtualSigstore, entity *ca.TestEntity) []byte {
	t.Helper()
	cert, err := entity.VerificationContent()
	require.NoError(t, err)
	entries, err := entity.TlogEntries()
	require.NoError(t, err)
	content, err := entity.SignatureContent()
	require.NoError(t, err)

	raw := &protocommon.X509Certificate{RawBytes: cert.Certificate().Raw}
	material := &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_X509CertificateChain{
		X509CertificateChain: &protocommon.X509CertificateChain{Certificates: []*protocommon.X509Certificate{raw}},
	}}
	material.TlogEntries = []*protorekor.TransparencyLogEntry{promise(t, authority, entries[0].TransparencyLogEntry())}
	b := &protobundle.Bundle{
		MediaType:            "application/vnd.dev.sigstore.bundle+json;version=0.1",
		VerificationMaterial: material,
	}
	if m := content.MessageSignatureContent(); m != nil {
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: m.Digest()},
			Signature:     m.Signature(),
		}}
	} else {
		payload := content.EnvelopeContent().RawEnvelope()
		body, err := base64.StdEncoding.DecodeString(payload.Payload)
		require.NoError(t, err)
		b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: body, PayloadType: payload.PayloadType,
			Signatures: []*protodsse.Signature{{Sig: content.Signature()}},
		}}
	}
	data, err := protojson.Marshal(b)
	require.NoError(t, err)
	return data
}

// promise adds to an entry what the log says about it.
func promise(t *testing.T, authority *ca.VirtualSigstore, entry *protorekor.TransparencyLogEntry) *protorekor.TransparencyLogEntry {
	t.Helper()
	var body struct{ Kind, APIVersion string }
	require.NoError(t, json.Unmarshal(entry.CanonicalizedBody, &body))
	signed, err := authority.RekorSignPayload(tlog.RekorPayload{
		Body:           base64.StdEncoding.EncodeToString(entry.CanonicalizedBody),
		IntegratedTime: entry.IntegratedTime, LogIndex: entry.LogIndex, LogID: hex.EncodeToString(entry.LogId.KeyId),
	})
	require.NoError(t, err)
	entry.KindVersion = &protorekor.KindVersion{Kind: body.Kind, Version: body.APIVersion}
	entry.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: signed}
	return entry
}

// get takes the file called kernel from files through a store with v.
func get(t *testing.T, files map[string][]byte, v artifacts.Verifier) error {
	t.Helper()
	tree := fstest.MapFS{}
	for name, data := range files {
		tree[name] = &fstest.MapFile{Data: data}
	}
	s, err := artifacts.OpenStore(t.TempDir(), artifacts.WithVerifier(v), artifacts.WithRetry(1, 0))
	require.NoError(t, err)
	defer s.Close()
	f, err := s.Get(t.Context(), artifacts.Dir("tree", tree), "kernel")
	if err != nil {
		return err
	}
	return f.Close()
}

func TestBundlesVerify(t *testing.T) {
	t.Parallel()

	authority, err := ca.NewVirtualSigstore()
	require.NoError(t, err)
	body := []byte("a kernel")
	signed, err := authority.Sign(workflow, issuer, body)
	require.NoError(t, err)
	bundle := encode(t, authority, signed)
	other, err := ca.NewVirtualSigstore()
	require.NoError(t, err)
	forged, err := other.Sign(workflow, issuer, body)
	require.NoError(t, err)
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1",`+
		`"subject":[{"name":"kernel","digest":{"sha256":"%x"}}],"predicate":{}}`, sha256.Sum256(body))
	attested, err := authority.AttestAtTime(workflow, issuer, []byte(statement), time.Now().Add(5*time.Minute), false)
	require.NoError(t, err)

	anyWorkflow := sigstore.Identity{Issuer: issuer, SubjectRegexp: `^https://github\.com/kairos-io/kairos/\.github/workflows/`}
	tests := map[string]struct {
		files map[string][]byte
		who   []sigstore.Identity
		rules []verify.VerifierOption
		want  string // in the error; "" if there is none
	}{
		"signed": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore.json": bundle},
			who:   []sigstore.Identity{{Issuer: issuer, Subject: workflow}}, rules: testRules(),
		},
		"signed, under another name of the bundle": {
			files: map[string][]byte{"kernel": body, "kernel.bundle": bundle},
			who:   []sigstore.Identity{anyWorkflow}, rules: testRules(),
		},
		"attested": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore": encode(t, authority, attested)},
			who:   []sigstore.Identity{anyWorkflow}, rules: testRules(),
		},
		"one of two identities": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore.json": bundle},
			who:   []sigstore.Identity{{Issuer: issuer, Subject: "x"}, anyWorkflow}, rules: testRules(),
		},
		"another identity": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore.json": bundle},
			who:   []sigstore.Identity{{Issuer: issuer, Subject: "https://github.com/evil/evil"}}, rules: testRules(),
			want: "no matching CertificateIdentity found",
		},
		"another issuer": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore.json": bundle},
			who:   []sigstore.Identity{{Issuer: "https://accounts.example", Subject: workflow}}, rules: testRules(),
			want: "no matching CertificateIdentity found",
		},
		"another content": {
			files: map[string][]byte{"kernel": []byte("another"), "kernel.sigstore.json": bundle},
			who:   []sigstore.Identity{anyWorkflow}, rules: testRules(),
			want: "sigstore: bundle: failed to verify signature",
		},
		"another subject attested": {
			files: map[string][]byte{"kernel": []byte("another"), "kernel.sigstore.json": encode(t, authority, attested)},
			who:   []sigstore.Identity{anyWorkflow}, rules: testRules(),
			want: "sigstore: bundle: failed to verify signature",
		},
		"another authority": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore.json": encode(t, other, forged)},
			who:   []sigstore.Identity{anyWorkflow}, rules: testRules(),
			want: "sigstore: bundle: failed to verify",
		},
		"no certificate transparency, which is asked for by default": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore.json": bundle},
			who:   []sigstore.Identity{anyWorkflow},
			want:  "signed certificate timestamp",
		},
		"no bundle": {
			files: map[string][]byte{"kernel": body},
			who:   []sigstore.Identity{anyWorkflow}, rules: testRules(), want: "no signature (.sigstore.json, .sigstore, .bundle)",
		},
		"nonsense": {
			files: map[string][]byte{"kernel": body, "kernel.sigstore.json": []byte("{}")},
			who:   []sigstore.Identity{anyWorkflow}, rules: testRules(), want: "sigstore: bundle: ",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := sigstore.NewBundles(authority, test.who, test.rules...)
			require.NoError(t, err)
			err = get(t, test.files, v)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestNewBundlesRefuses(t *testing.T) {
	t.Parallel()

	authority, err := ca.NewVirtualSigstore()
	require.NoError(t, err)
	_, err = sigstore.NewBundles(authority, nil)
	require.ErrorContains(t, err, "no identity is trusted")
	_, err = sigstore.NewBundles(authority, []sigstore.Identity{{Issuer: issuer}})
	require.Error(t, err, "an issuer alone lets everybody in")
	_, err = sigstore.NewBundles(authority, []sigstore.Identity{{Issuer: issuer, SubjectRegexp: "("}})
	require.Error(t, err)
}

func TestPublicKeyVerify(t *testing.T) {
	t.Parallel()

	body := []byte("a kernel")
	sum := sha256.Sum256(body)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		key    crypto.Signer
		digest []byte
		opts   crypto.SignerOpts
	}{
		"ECDSA":   {ec, sum[:], crypto.SHA256},
		"RSA":     {rs, sum[:], crypto.SHA256},
		"Ed25519": {ed, body, crypto.Hash(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sig, err := test.key.Sign(rand.Reader, test.digest, test.opts)
			require.NoError(t, err)
			pem, err := cryptoutils.MarshalPublicKeyToPEM(test.key.Public())
			require.NoError(t, err)
			v, err := sigstore.NewPublicKey(pem)
			require.NoError(t, err)
			text := []byte(base64.StdEncoding.EncodeToString(sig) + "\n")

			require.NoError(t, get(t, map[string][]byte{"kernel": body, "kernel.sig": text}, v))
			require.NoError(t, get(t, map[string][]byte{"kernel": body, "kernel.sig": sig}, v))
			err = get(t, map[string][]byte{"kernel": []byte("another"), "kernel.sig": text}, v)
			require.ErrorContains(t, err, "sigstore: signature: ")
			err = get(t, map[string][]byte{"kernel": body, "kernel.sig": []byte("bm9uZQ==")}, v)
			require.ErrorContains(t, err, "sigstore: signature: ")
			err = get(t, map[string][]byte{"kernel": body}, v)
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
	_, err = sigstore.NewPublicKey([]byte("no key"))
	require.ErrorContains(t, err, "sigstore: public key: ")
}

// TestModuleStaysApart checks that the module of everybody else does not need
// what this one needs.
func TestModuleStaysApart(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"../../go.mod", "../../go.sum"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NotContains(t, string(data), "sigstore")
	}
}

// ExampleNewPublicKey accepts files that a key signed.
func ExampleNewPublicKey() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	pem, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256([]byte("a kernel"))
	sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	v, err := sigstore.NewPublicKey(pem)
	if err != nil {
		panic(err)
	}
	src := artifacts.Dir("", fstest.MapFS{"kernel.sig": {Data: sig}})
	verify := func(content string) error {
		return v.Verify(context.Background(), src, artifacts.Info{Name: "kernel"}, strings.NewReader(content))
	}
	fmt.Println(verify("a kernel"))
	fmt.Println(verify("another") != nil)
	// Output:
	// <nil>
	// true
}
