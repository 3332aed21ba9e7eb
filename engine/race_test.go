//go:build race

package engine_test

// raceDetector makes everything several times slower.
const raceDetector = true
