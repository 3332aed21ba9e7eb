package id

import "testing"

func BenchmarkNew(b *testing.B) {
	s := NewSource(nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		s.New(7)
	}
}

func BenchmarkKeyHash(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		KeyHash("acme", "place-order", "ORD-2026-000001")
	}
}
