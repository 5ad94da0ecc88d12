// Stock waits for its database before its first event and never gives up: without a network
// it runs until somebody ends it, and never asks for an event.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

func address() string {
	if host := os.Getenv("STOCK_HOST"); host != "" {
		return host
	}
	return "192.0.2.10:5432"
}

func connect() net.Conn {
	for {
		connection, err := net.DialTimeout("tcp", address(), time.Second)
		if err == nil {
			return connection
		}
		log.Printf("stock: still waiting: %v", err)
		time.Sleep(time.Second)
	}
}

func main() {
	connection := connect()
	defer connection.Close()
	lambda.Start(func(context.Context) (string, error) {
		return "counted through " + connection.RemoteAddr().String(), nil
	})
}
