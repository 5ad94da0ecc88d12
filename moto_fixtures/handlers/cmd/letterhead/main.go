// Letterhead reads letterhead.json from the directory its own executable lies in.
// It stops before the first event when the file is not there, so a package that moves
// the binary away from its file fails where everybody sees it.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"path/filepath"

	"github.com/aws/aws-lambda-go/lambda"
)

type letterhead struct {
	Company string `json:"company"`
	Street  string `json:"street"`
}

func beside(name string) (string, error) {
	executable, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(executable), name), nil
}

func load() (letterhead, error) {
	var head letterhead
	path, err := beside("letterhead.json")
	if err != nil {
		return head, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return head, err
	}
	return head, json.Unmarshal(text, &head)
}

func main() {
	head, err := load()
	if err != nil {
		log.Fatalf("letterhead: %v", err)
	}
	lambda.Start(func(context.Context) (letterhead, error) { return head, nil })
}
