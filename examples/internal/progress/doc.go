// Package progress shows how far a program has come.
//
// A Display's Update is what every WithProgress option takes. On a terminal
// one line is drawn over and over, with the first of the things that are under way,
// and one stays for each that is done; into a file or a pipe goes one line when
// something starts and one when it is done, so that logs stay short. What else
// is written to the terminal goes through the Display as well.
package progress
