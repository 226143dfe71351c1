package ipxe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net"
	"time"
)

// Limits of an ID. A longer name cannot be linked.
const (
	maxName = 2048                    // bytes of a file's name
	maxID   = (maxName + 128) * 4 / 3 // characters of a sealed ID
	idSalt  = "netbootkit ipxe id 1"  // changes when the content of an ID does
)

// Why an ID does not open.
var (
	errForged  = errors.New("link not made with this key")
	errExpired = errors.New("link expired")
)

// A ticket is what an ID holds: which machine may fetch which file until
// when.
type ticket struct {
	Stage   Stage
	MAC     net.HardwareAddr // six bytes
	UUID    [16]byte
	Expires time.Time // to the second
	Label   string    // for events, such as "initrd-0"
	Name    string    // of the file
}

// A sealer makes IDs and opens them. An ID is an encrypted and authenticated
// ticket: names stay secret, as they may be addresses with passwords in API
// mode, and a server with the same key can open it without knowing of it.
type sealer struct {
	aead cipher.AEAD
}

// newSealer derives the key of a sealer from one of any length.
func newSealer(key []byte) (*sealer, error) {
	derived, err := hkdf.Key(sha256.New, key, []byte(idSalt), "", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealer{aead: aead}, err
}

// seal returns the ID of t.
func (s *sealer) seal(t *ticket) (string, error) {
	if len(t.Name) > maxName {
		return "", &ScriptError{Field: "Name", Value: t.Name, Reason: "too long for a link"}
	}
	plain := []byte{byte(t.Stage)}
	plain = binary.AppendUvarint(plain, uint64(t.Expires.Unix()))
	plain = append(plain, t.MAC...)
	plain = append(plain, t.UUID[:]...)
	plain = append(plain, byte(len(t.Label)))
	plain = append(plain, t.Label...)
	plain = append(plain, t.Name...)
	sealed := s.aead.Seal(nil, nil, plain, nil) //nolint:gosec // This AEAD draws its nonces itself.
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open returns what seal was given, if the ID is ours and has not expired.
// The comparison takes constant time.
func (s *sealer) open(id string, now time.Time) (*ticket, error) {
	if len(id) > maxID {
		return nil, errForged
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil {
		return nil, errForged
	}
	plain, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errForged
	}
	t, ok := parseTicket(plain)
	if !ok {
		return nil, errForged
	}
	if !now.Before(t.Expires) {
		return nil, errExpired
	}
	return t, nil
}

// parseTicket reads what an authentic ID holds.
func parseTicket(p []byte) (*ticket, bool) {
	if len(p) == 0 {
		return nil, false
	}
	t := &ticket{Stage: Stage(p[0])}
	seconds, n := binary.Uvarint(p[1:])
	if n <= 0 || len(p) < 1+n+6+16+1 {
		return nil, false
	}
	t.Expires = time.Unix(int64(seconds), 0)
	p = p[1+n:]
	t.MAC, p = net.HardwareAddr(p[:6:6]), p[6:]
	copy(t.UUID[:], p)
	label := int(p[16])
	if p = p[17:]; len(p) < label {
		return nil, false
	}
	t.Label, t.Name = string(p[:label]), string(p[label:])
	return t, true
}
