package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Types of PEM blocks.
const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "EC PRIVATE KEY"
	publicKeyBlock   = "PUBLIC KEY"
)

func (s *store) readPEM(file, blockType string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(s.directory, file))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != blockType {
		return nil, fmt.Errorf("%s has no PEM block %s", file, blockType)
	}
	return block.Bytes, nil
}

func (s *store) readKey(file string) (*ecdsa.PrivateKey, error) {
	der, err := s.readPEM(file+".key", keyBlock)
	if err != nil {
		return nil, err
	}
	return x509.ParseECPrivateKey(der)
}

func (s *store) write(file string, content []byte, mode os.FileMode) error {
	return replaceFile(filepath.Join(s.directory, file), content, mode)
}

// replaceFile gives a file its content and mode in one step, unless it has them.
func replaceFile(path string, content []byte, mode os.FileMode) (err error) {
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) {
		return os.Chmod(path, mode)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("pki: write %s: %w", path, err), os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(content)
	if err := errors.Join(err, file.Chmod(mode), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
