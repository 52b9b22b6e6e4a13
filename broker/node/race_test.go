//go:build race

package node_test

const raceDetector = true // whose shadow memory is several times the broker's own
