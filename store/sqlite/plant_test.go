//go:build !planted

package sqlite

import "github.com/unwindhq/unwind/internal/planted"

func plant(planted.Bug) {}
