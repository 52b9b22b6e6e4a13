// Package house holds the rules of the repository as tests: which package may import which, what a file may contain, what the product costs in
// dependencies, bytes and memory, and that every sample of the READMEs does what it says. It refuses to know what any package is for, and
// nothing imports it.
package house
