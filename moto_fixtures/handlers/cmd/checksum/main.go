// Checksum is a Go program that is no Lambda function: it prints a sum of what it reads.
package main

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

func main() {
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "checksum:", err)
		os.Exit(1)
	}
	fmt.Printf("%08x\n", crc32.ChecksumIEEE(content))
}
