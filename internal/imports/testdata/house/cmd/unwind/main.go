package main

import (
	_ "example.test/house/sim"
	_ "github.com/urfave/cli/v3"
)

func main() {}
