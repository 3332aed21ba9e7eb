package sqlite

// limitWAL copies the WAL into the file once it is long enough. SQLite's own
// automatic checkpoint would hide an error of its fsync.
func (w *writer) limitWAL() error {
	if w.pages += 8; w.pages < w.config.CheckpointPages/8 {
		return nil
	}
	w.pages = 0
	if _, err := w.walLength.Step(); err != nil {
		return err
	}
	length := w.walLength.ColumnInt(1)
	if err := w.walLength.Reset(); err != nil {
		return err
	}
	if length < w.config.CheckpointPages {
		return nil
	}
	if _, err := w.checkpoint.Step(); err != nil {
		return err
	}
	return w.checkpoint.Reset()
}
