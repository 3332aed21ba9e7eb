package main

import (
	"errors"
	"io/fs"
	"os"
)

// writeWhole writes a file that is there as a whole, or as it was before. What is no
// ordinary file, as a pipe, is written as it goes.
func writeWhole(path string, mode fs.FileMode, write func(*os.File) error) (err error) {
	to := path + ".part"
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		to = path
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil && to != path {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	switch {
	case to == path:
		return err
	case err != nil:
		return errors.Join(err, os.Remove(to))
	}
	return os.Rename(to, path)
}
