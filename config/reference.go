package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const maxSecret = 64 << 10 // bytes of a secret's file

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// A secretReader follows env:NAME and file:PATH.
type secretReader struct {
	// env is nil where secrets are checked for form only.
	env func(string) (string, bool)
	// dir is where relative paths start.
	dir string
}

// secret reads a secret. Only a header's may be written out: headers also
// carry what is none. No message repeats what was written in a secret's place.
func (d *decoder) secret(n *node, pointer string) Secret {
	header := strings.HasPrefix(pointer, "/services/")
	switch {
	case n.kind == list || n.kind == mapping:
		d.add(pointer, n.at, "this is %s and wants text; write env:NAME or file:PATH", n.kind)
		return Secret{}
	case n.kind != text && header:
		d.add(pointer, n.at, "this is %s and wants text; put it in quotes", n.kind)
		return Secret{}
	}
	kind, name, reference := strings.Cut(n.text, ":")
	if !reference || kind != "env" && kind != "file" {
		if !header {
			d.add(pointer, n.at, "a secret is never written out; write env:NAME to read it from the environment or file:PATH to read it from a file")
			return Secret{}
		}
		return NewSecret(n.text)
	}
	s := Secret{source: n.text}
	value, err := d.secrets.read(kind, name)
	if err != nil {
		d.add(pointer, n.at, "%s", err)
	} else if d.secrets.env != nil {
		s.value = &value
	}
	return s
}

func (r secretReader) read(kind, name string) (string, error) {
	if kind == "env" {
		if !variableName.MatchString(name) {
			return "", fmt.Errorf("%q is not the name of an environment variable; write letters, digits and underscores, as in env:PAYMENTS_TOKEN", clip(name))
		}
		if r.env == nil {
			return "", nil
		}
		value, set := r.env(name)
		if !set {
			return "", fmt.Errorf("the environment variable %s is not set; set it, or name another", clip(name))
		}
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is empty; set it to the secret", clip(name))
		}
		return value, nil
	}
	if name == "" {
		return "", errors.New("file: names no file; write its path, as in file:/run/secrets/payments")
	}
	if r.env == nil {
		return "", nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	value, err := readSecretFile(path)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return "", fmt.Errorf("the secret's file %s cannot be read: %w", clip(name), err)
	}
	return value, nil
}

// readSecretFile reads a file without the line break at its end.
func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	// Reading a pipe or a terminal could wait for ever.
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // closing what was only read
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(b), "\r\n")
	switch {
	case len(b) > maxSecret:
		return "", fmt.Errorf("it has more than %d bytes", maxSecret)
	case value == "":
		return "", errors.New("it is empty")
	}
	return value, nil
}
