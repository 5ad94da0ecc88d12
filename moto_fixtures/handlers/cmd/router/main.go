// Router is one binary for several functions: the function's Handler string, which Lambda
// hands over as _HANDLER, says which of them it is. Under another Handler it stops at once.
package main

import (
	"context"
	"log"
	"os"
	"path"

	"github.com/aws/aws-lambda-go/lambda"
)

type answer struct {
	Route string `json:"route"`
	Text  string `json:"text"`
}

var routes = map[string]string{
	"accept": "taken in",
	"refund": "paid back",
	"router": "sent on",
}

func main() {
	route := path.Base(os.Getenv("_HANDLER"))
	text, known := routes[route]
	if !known {
		log.Fatalf("router: no route for the handler %q", os.Getenv("_HANDLER"))
	}
	lambda.Start(func(context.Context) (answer, error) {
		return answer{Route: route, Text: text}, nil
	})
}
