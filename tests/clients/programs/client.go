// Go's net/http and mime/multipart: go run client.go API SMALL OTHER URL
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
)

var shape string

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func show(kind string, response *http.Response, err error) {
	check(err)
	body, err := io.ReadAll(response.Body)
	check(err)
	fmt.Printf("%s\t%s\n", kind, strings.TrimSpace(string(body)))
}

func form(kind, field, address string, files ...[]byte) {
	body := &bytes.Buffer{}
	writer := multipart.NewWriter(body)
	for _, content := range files {
		part, err := writer.CreateFormFile(field, "a.jpg")
		check(err)
		part.Write(content)
	}
	if address != "" {
		check(writer.WriteField("url", address))
	}
	writer.Close()
	response, err := http.Post(shape, writer.FormDataContentType(), body)
	show(kind, response, err)
}

func main() {
	shape = os.Args[1] + "/shape"
	small, err := os.ReadFile(os.Args[2])
	check(err)
	other, err := os.ReadFile(os.Args[3])
	check(err)
	form("form", "image", os.Args[4], small, other)
	form("file", "image", "", small)
	form("array", "image[]", "", small, other)
	response, err := http.PostForm(shape, url.Values{"url": {os.Args[4]}})
	show("url", response, err)
	zipped := &bytes.Buffer{}
	writer := gzip.NewWriter(zipped)
	writer.Write(small)
	writer.Close()
	request, err := http.NewRequest("POST", shape, zipped)
	check(err)
	request.Header.Set("Content-Type", "image/jpeg")
	request.Header.Set("Content-Encoding", "gzip")
	response, err = http.DefaultClient.Do(request)
	show("gzip", response, err)
}
