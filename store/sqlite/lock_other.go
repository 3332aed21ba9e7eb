//go:build !unix

package sqlite

import "os"

// lockFile only makes the file: there is no lock that ends with the process. The
// epoch is the barrier that holds.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
}

func checkFiles(string) error { return nil }

func syncDir(string) error { return nil }
