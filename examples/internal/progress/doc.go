// Package progress shows how far a program has come.
//
// A Display's Update is what every WithProgress option takes. On a terminal
// one line is drawn over and over; into a file or a pipe goes one line when
// something starts and one when it is done, so that logs stay short.
package progress
