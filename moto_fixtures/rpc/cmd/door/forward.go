package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
)

// emulatorAddress is where the emulator is told to listen; fleet's Python side says the same.
const emulatorAddress = "127.0.0.1:49800"

const pause = 2 * time.Millisecond

// forward starts the emulator and joins every connection to one of its own.
func forward(listener net.Listener, emulator *exec.Cmd) error {
	// Its log is not the function's.
	emulator.Stderr = os.Stderr
	if err := emulator.Start(); err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go join(connection)
		}
	}()
	return fmt.Errorf("the emulator ended: %w", ended(emulator.Wait()))
}

func join(outside net.Conn) {
	inside := dial(emulatorAddress, nil)
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{inside, outside}, {outside, inside}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done
	inside.Close()
	outside.Close()
}

// dial waits until somebody listens; nil once `over` is closed.
func dial(address string, over <-chan struct{}) net.Conn {
	for {
		if connection, err := net.Dial("tcp", address); err == nil {
			return connection
		}
		select {
		case <-over:
			return nil
		case <-time.After(pause):
		}
	}
}
