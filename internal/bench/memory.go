package bench

import (
	"context"
	"fmt"
	"time"
)

// memory measures what sagas cost that only wait.
func (r *run) memory(ctx context.Context) error {
	return r.served(ctx, func(_, server *child, _ string) error {
		bare, _, err := server.collected()
		if err != nil {
			return err
		}
		count := r.count(1_000_000, 2000)
		begin := time.Now()
		if err := startMany(ctx, server, "wait", count); err != nil {
			return err
		}
		took := time.Since(begin)
		now, peak, err := server.collected()
		if err != nil {
			return err
		}
		r.add(Figure{Name: fmt.Sprintf("resident beside %s waiting sagas", quantity(float64(count), "")), Value: now, Unit: "MiB"}.below(300).
			noting("after a collection; %.0f MiB before the first start, %.0f MiB at most; started in %.1f s, %.0f/s", bare, peak, took.Seconds(), float64(count)/took.Seconds()))
		return server.end()
	})
}

// collected is what a child has in memory after a collection, and had at most.
func (c *child) collected() (now, peak float64, err error) {
	if err := c.ask("collect", nil, nil); err != nil {
		return 0, 0, err
	}
	return c.resident()
}
