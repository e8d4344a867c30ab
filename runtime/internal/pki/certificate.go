package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// pair is a certificate with its key.
type pair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// leaf describes a certificate that an authority signs.
type leaf struct {
	file      string
	subject   pkix.Name
	usage     x509.ExtKeyUsage
	names     []string
	addresses []net.IP
}

// store is the directory that holds pairs.
type store struct {
	directory string
	now       time.Time
}

// ensureAuthority returns the authority in a file; it is made if there is no usable one.
func (s *store) ensureAuthority(file, commonName string) (*pair, error) {
	present, err := s.readPair(file)
	if err == nil && present.certificate.IsCA && s.lasts(present.certificate) {
		return present, nil
	}
	template, err := s.template(pkix.Name{CommonName: commonName}, authorityLifetime)
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	return s.makePair(file, template, nil)
}

// ensureLeaf returns the pair in a file; it is made if there is none that fits.
func (s *store) ensureLeaf(signer *pair, l leaf) (*pair, error) {
	present, err := s.readPair(l.file)
	if err == nil && s.lasts(present.certificate) && l.describes(present.certificate) &&
		present.certificate.CheckSignatureFrom(signer.certificate) == nil {
		return present, nil
	}
	template, err := s.template(l.subject, leafLifetime)
	if err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{l.usage}
	template.DNSNames = l.names
	template.IPAddresses = l.addresses
	// Nothing outlives what it is signed by.
	if template.NotAfter.After(signer.certificate.NotAfter) {
		template.NotAfter = signer.certificate.NotAfter
	}
	return s.makePair(l.file, template, signer)
}

func (l leaf) describes(certificate *x509.Certificate) bool {
	return certificate.Subject.CommonName == l.subject.CommonName &&
		slices.Equal(certificate.Subject.Organization, l.subject.Organization) &&
		slices.Equal(certificate.ExtKeyUsage, []x509.ExtKeyUsage{l.usage}) &&
		slices.Equal(certificate.DNSNames, l.names) &&
		slices.EqualFunc(certificate.IPAddresses, l.addresses, net.IP.Equal)
}

func (s *store) lasts(certificate *x509.Certificate) bool {
	return !s.now.Before(certificate.NotBefore) && s.now.Add(renewalTime).Before(certificate.NotAfter)
}

func (s *store) template(subject pkix.Name, lifetime time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("pki: serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    s.now.Add(-clockTolerance),
		NotAfter:     s.now.Add(lifetime),
	}, nil
}

// makePair makes a key and signs its certificate, with itself if there is no signer.
func (s *store) makePair(file string, template *x509.Certificate, signer *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("pki: key of %s: %w", file, err)
	}
	if signer == nil {
		signer = &pair{certificate: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, &key.PublicKey, signer.key)
	if err != nil {
		return nil, fmt.Errorf("pki: certificate of %s: %w", file, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pki: certificate of %s: %w", file, err)
	}
	made := &pair{certificate: certificate, key: key}
	keyPEM, err := made.keyPEM()
	if err != nil {
		return nil, err
	}
	// A certificate without its key is found out by the next run, and made again.
	if err := s.write(file+".key", keyPEM, 0o600); err != nil {
		return nil, err
	}
	return made, s.write(file+".crt", made.certificatePEM(), 0o644)
}

// readPair reads a certificate and its key, which must belong together.
func (s *store) readPair(file string) (*pair, error) {
	der, err := s.readPEM(file+".crt", certificateBlock)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	key, err := s.readKey(file)
	if err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, errors.New("key and certificate do not belong together")
	}
	return &pair{certificate: certificate, key: key}, nil
}

func (p *pair) certificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: p.certificate.Raw})
}

func (p *pair) keyPEM() ([]byte, error) { return encodeKey(p.key) }

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("pki: encode a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), nil
}
