package artifacts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"time"
)

const indexDir = "index"

// An entry is what the store remembers about a name: one small file, which is
// replaced as a whole.
type entry struct {
	Source  string    `json:"source"`
	Name    string    `json:"name"`            // as it may be shown
	Exact   string    `json:"exact,omitempty"` // Info.Name, if another
	From    string    `json:"from,omitempty"`  // the file that it is a part of
	Part    string    `json:"part,omitempty"`  // which part
	Digest  Digest    `json:"digest"`          // SHA-256
	Size    int64     `json:"size"`
	ETag    string    `json:"etag,omitempty"`
	ModTime time.Time `json:"modified,omitzero"`
	Checked bool      `json:"checked"` // a digest was known when it was fetched
}

// remembered is an entry with its file, open. A nil one stands for none.
type remembered struct {
	entry
	file *File
}

// forget closes the file, and returns nil.
func (r *remembered) forget() *remembered {
	if r != nil {
		r.file.drop()
	}
	return nil
}

// orNil returns the file.
func (r *remembered) orNil() *File {
	if r == nil {
		return nil
	}
	return r.file
}

// is says whether the file is certainly the one that a describes.
func (r *remembered) is(a answer) bool {
	switch {
	case a.from != nil:
		return false // What it is made of has to be asked for first.
	case a.info.Digest.Algorithm() == SHA256:
		return a.info.Digest == r.Digest
	case a.info.Size >= 0 && a.info.Size != r.Size:
		return false
	case a.info.ETag != "":
		return strong(a.info.ETag) && a.info.ETag == r.ETag
	default:
		return !a.info.ModTime.IsZero() && a.info.ModTime.Equal(r.ModTime)
	}
}

// keyOf returns a name for files about the file of a source.
func keyOf(id, name string) string {
	sum := sha256.Sum256([]byte(id + "\x00" + name))
	return hex.EncodeToString(sum[:])
}

func indexFile(id, name string) string { return path.Join(indexDir, keyOf(id, name)+".json") }

// recall returns what is remembered about a name, if its content is there.
func (s *Store) recall(id, name string) *remembered {
	if id == "" {
		return nil
	}
	r := new(remembered)
	if s.readJSON(indexFile(id, name), &r.entry) != nil {
		return nil // It is not there, or was half written when the power failed.
	}
	exact := name
	if r.Exact != "" {
		exact = r.Exact
	}
	f, err := s.open(Info{Name: exact, Size: r.Size, Digest: r.Digest, ETag: r.ETag, ModTime: r.ModTime})
	if err != nil {
		return nil
	}
	r.file = f
	return r
}

// remember writes e about a name.
func (s *Store) remember(id, name string, e entry) error {
	if id == "" {
		return nil
	}
	e.Source, e.Name = id, label(name)
	file := indexFile(id, name)
	return s.writeJSON(file, path.Join(indexDir, "."+rand.Text()), e) // Others may write one as well.
}

func (s *Store) readJSON(name string, v any) error {
	data, err := s.root.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// writeJSON replaces the file called name by another, which is called next
// until it is complete.
func (s *Store) writeJSON(name, next string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	err = s.root.WriteFile(next, append(data, '\n'), 0o600)
	if err == nil {
		err = s.root.Rename(next, name)
	}
	if err != nil {
		_ = s.root.Remove(next) // What can be done about it was tried.
	}
	return s.disk(err)
}
