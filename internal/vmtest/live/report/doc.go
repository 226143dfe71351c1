// Report is the first program of a live system. It says what the system was
// booted from, as package live has it, and switches the machine off.
package main
