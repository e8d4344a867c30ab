package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// ensureServiceAccountKey makes the key that signs the tokens of service accounts,
// and writes its public half, by which they are verified. The key is never renewed:
// that would make every token invalid.
func (s *store) ensureServiceAccountKey(file string) error {
	key, err := s.readKey(file)
	if err != nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return fmt.Errorf("pki: key of service accounts: %w", err)
		}
		encoded, err := encodeKey(key)
		if err != nil {
			return err
		}
		if err := s.write(file+".key", encoded, 0o600); err != nil {
			return err
		}
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return fmt.Errorf("pki: public key of service accounts: %w", err)
	}
	return s.write(file+".pub", pem.EncodeToMemory(&pem.Block{Type: publicKeyBlock, Bytes: der}), 0o644)
}
