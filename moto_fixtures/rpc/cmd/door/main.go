// Door is the way into an execution environment behind walls: it listens on a Unix socket, which
// is the one thing that leads in, and hands invocations to what it starts.
//
//	door emulator SOCKET PROGRAM [ARGUMENT...]   AWS's Runtime Interface Emulator, over HTTP
//	door rpc      SOCKET PROGRAM [ARGUMENT...]   a go1.x handler, over Go's net/rpc
//
// Either way the socket speaks HTTP. What the program writes goes to standard output.
package main

import (
	"log"
	"net"
	"os"
	"os/exec"
)

const leastArguments = 4

func main() {
	log.SetFlags(0)
	log.SetPrefix("door: ")
	if len(os.Args) < leastArguments {
		log.Fatal("usage: door emulator|rpc SOCKET PROGRAM [ARGUMENT...]")
	}
	socket, program := os.Args[2], exec.Command(os.Args[3], os.Args[4:]...)
	program.Stdout = os.Stdout
	var serve func(net.Listener, *exec.Cmd) error
	switch os.Args[1] {
	case "emulator":
		serve = forward
	case "rpc":
		serve = speak
	default:
		log.Fatalf("no way called %q", os.Args[1])
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(listener, program))
}
