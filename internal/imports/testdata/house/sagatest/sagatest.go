package sagatest
