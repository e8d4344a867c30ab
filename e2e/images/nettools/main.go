// Command fetch prints the body of the answer to an HTTP GET. The test image has it
// because the wget of a static busybox can not resolve names without a C library.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const limit = 20 * time.Second

func main() {
	if err := fetch(os.Args[len(os.Args)-1], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "fetch: %v\n", err)
		os.Exit(1)
	}
}

func fetch(url string, out io.Writer) error {
	client := http.Client{Timeout: limit}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	_, err = io.Copy(out, response.Body)
	return err
}
