// Ledger wants its database before its first event: without DB_HOST and DB_PASSWORD, or
// without a connection, it ends with status 1, as many functions do outside their VPC.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

func connect() (net.Conn, error) {
	return net.DialTimeout("tcp", os.Getenv("DB_HOST"), 2*time.Second)
}

func main() {
	for _, name := range []string{"DB_HOST", "DB_PASSWORD"} {
		if os.Getenv(name) == "" {
			log.Fatalf("ledger: %s is not set", name)
		}
	}
	connection, err := connect()
	if err != nil {
		log.Fatalf("ledger: the database does not answer: %v", err)
	}
	defer connection.Close()
	lambda.Start(func(context.Context) (string, error) {
		return "booked through " + connection.RemoteAddr().String(), nil
	})
}
