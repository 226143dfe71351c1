// Report is the first program of a system that runs from a disk. It does and
// says what package installed has, and switches the machine off. Called by the
// name kairos-agent, it stands in for that: it records its arguments.
package main
