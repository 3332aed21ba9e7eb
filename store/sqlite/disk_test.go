package sqlite

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// A disk stands between SQLite and the files of one folder: it records what is
// written and synced, so that a test can rebuild what a power cut would have
// left, and it can refuse to sync.
//
// It replaces, in the process's default VFS, the function that opens files; files
// outside the folder are left alone.
type disk struct {
	dir string

	mu       sync.Mutex
	ops      []op
	syncs    int
	failSync bool
}

// An op is one write, truncation or sync of a file.
type op struct {
	file string
	kind opKind
	at   int64 // of a write: where; of a truncation: the new length; of a sync: how many ops it covers
	data []byte
}

type opKind uint8

const (
	opWrite opKind = iota
	opTruncate
	opSync
	opDelete
)

// newDisk watches a new folder until the test ends.
func newDisk(tb testing.TB) *disk {
	tb.Helper()
	d := &disk{dir: tb.TempDir()}
	watched.Lock()
	defer watched.Unlock()
	watched.install()
	watched.disks[d.dir] = d
	tb.Cleanup(func() {
		watched.Lock()
		defer watched.Unlock()
		delete(watched.disks, d.dir)
	})
	return d
}

// recorded is how many ops there are.
func (d *disk) recorded() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ops)
}

func (d *disk) refuseSyncs() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failSync = true
}

// powerCut writes into dir what the disk could hold if the power failed after the
// first n ops: of each file all that was synced, and of what was not any part,
// down to the sector.
func (d *disk) powerCut(tb testing.TB, dir string, n int, r *rand.Rand) {
	tb.Helper()
	files := map[string][]byte{}
	pending := map[string][]int{}
	for i, o := range d.ops[:n] {
		if o.kind == opDelete { // with a sync of the directory
			delete(files, o.file)
			delete(pending, o.file)
			continue
		}
		if o.kind != opSync {
			pending[o.file] = append(pending[o.file], i)
			continue
		}
		rest := pending[o.file][:0]
		for _, p := range pending[o.file] {
			if int64(p) < o.at {
				files[o.file] = d.ops[p].apply(files[o.file])
			} else {
				rest = append(rest, p)
			}
		}
		pending[o.file] = rest
	}
	luck := r.Float64()
	for file, ops := range pending {
		for _, p := range ops {
			o := d.ops[p]
			switch {
			case r.Float64() < luck:
				files[file] = o.apply(files[file])
			case o.kind == opWrite && r.IntN(4) == 0:
				const sector = 512
				o.data = o.data[:min(len(o.data), sector*r.IntN(1+len(o.data)/sector))]
				files[file] = o.apply(files[file])
			}
		}
	}
	for file, b := range files {
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

func (o *op) apply(b []byte) []byte {
	if o.kind == opTruncate {
		return resize(b, int(o.at))
	}
	if end := int(o.at) + len(o.data); end > len(b) {
		b = resize(b, end)
	}
	copy(b[o.at:], o.data)
	return b
}

func resize(b []byte, n int) []byte {
	if n <= len(b) {
		return b[:n]
	}
	return append(b, make([]byte, n-len(b))...)
}

// watched is the way into the VFS. SQLite knows its functions by address, so
// there can be only one.
var watched = watch{disks: map[string]*disk{}, files: map[uintptr]*watchedFile{}, methods: map[uintptr]uintptr{}}

type watch struct {
	sync.Mutex
	disks   map[string]*disk
	files   map[uintptr]*watchedFile
	methods map[uintptr]uintptr // SQLite's own to ours

	open   func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	unlink func(tls *libc.TLS, vfs, name uintptr, sync int32) int32
}

type watchedFile struct {
	disk    *disk
	name    string
	methods *lib.Tsqlite3_io_methods // SQLite's own
}

func (w *watch) install() {
	if w.open != nil {
		return
	}
	tls := libc.NewTLS()
	lib.Xsqlite3_initialize(tls)
	vfs := at[lib.Tsqlite3_vfs](lib.Xsqlite3_vfs_find(tls, 0))
	w.open = function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](vfs.FxOpen)
	w.unlink = function[func(*libc.TLS, uintptr, uintptr, int32) int32](vfs.FxDelete)
	vfs.FxOpen, vfs.FxDelete = address(watchOpen), address(watchDelete)
}

func watchDelete(tls *libc.TLS, vfs, name uintptr, sync int32) int32 {
	path := libc.GoString(name)
	watched.Lock()
	d := watched.disks[filepath.Dir(path)]
	watched.Unlock()
	if d != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.ops = append(d.ops, op{file: filepath.Base(path), kind: opDelete})
	}
	return watched.unlink(tls, vfs, name, sync)
}

func watchOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	code := watched.open(tls, vfs, name, file, flags, out)
	if code != lib.SQLITE_OK || name == 0 {
		return code
	}
	path := libc.GoString(name)
	watched.Lock()
	defer watched.Unlock()
	d := watched.disks[filepath.Dir(path)]
	if d == nil {
		return code
	}
	f := at[lib.Tsqlite3_file](file)
	was := f.FpMethods
	watched.files[file] = &watchedFile{d, filepath.Base(path), at[lib.Tsqlite3_io_methods](was)}
	if watched.methods[was] == 0 {
		ours := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_io_methods{})))
		m := at[lib.Tsqlite3_io_methods](ours)
		*m = *at[lib.Tsqlite3_io_methods](was)
		m.FxClose, m.FxWrite, m.FxTruncate, m.FxSync = address(watchClose), address(watchWrite), address(watchTruncate), address(watchSync)
		watched.methods[was] = ours
	}
	f.FpMethods = watched.methods[was]
	return code
}

func (w *watch) file(file uintptr) *watchedFile {
	w.Lock()
	defer w.Unlock()
	return w.files[file]
}

func watchClose(tls *libc.TLS, file uintptr) int32 {
	f := watched.file(file)
	watched.Lock()
	delete(watched.files, file)
	watched.Unlock()
	return function[func(*libc.TLS, uintptr) int32](f.methods.FxClose)(tls, file)
}

func watchWrite(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	f := watched.file(file)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.ops = append(f.disk.ops, op{f.name, opWrite, offset, bytes.Clone(libc.GoBytes(data, int(n)))})
	return function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.methods.FxWrite)(tls, file, data, n, offset)
}

func watchTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := watched.file(file)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.ops = append(f.disk.ops, op{f.name, opTruncate, size, nil})
	return function[func(*libc.TLS, uintptr, int64) int32](f.methods.FxTruncate)(tls, file, size)
}

// watchSync trusts that what was written is safe: the disk is a model.
func watchSync(_ *libc.TLS, file uintptr, _ int32) int32 {
	f := watched.file(file)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.syncs++
	if f.disk.failSync {
		return lib.SQLITE_IOERR_FSYNC
	}
	f.disk.ops = append(f.disk.ops, op{f.name, opSync, int64(len(f.disk.ops)), nil})
	return lib.SQLITE_OK
}

// at is what lies at an address of C.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// function is the Go function at an address of C, and address its inverse, as
// modernc.org/sqlite makes them.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p})) }

func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }
