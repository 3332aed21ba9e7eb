package store

import (
	"math/big"
	"strconv"
)

// A Sum adds up decimal numbers exactly. The zero value is the sum of none.
type Sum struct {
	total  big.Int // in units of 10^-sumPlaces
	places int     // the most decimal places of any number
	// Added counts the numbers in the sum, Odd those that are not: too long, or no
	// JSON numbers.
	Added, Odd int64
}

// Bounds on a number that is added: decimal places, and digits before the point.
const (
	sumPlaces = 20
	sumDigits = 30
)

var powers = func() (p [sumPlaces + sumDigits + 1]*big.Int) {
	for i := range p {
		p[i] = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(i)), nil)
	}
	return p
}()

// Add adds a JSON number; the empty text adds nothing.
func (s *Sum) Add(number []byte) {
	if len(number) == 0 {
		return
	}
	digits, places, ok := decimal(number)
	if !ok {
		s.Odd++
		return
	}
	s.Added++
	s.places = max(s.places, places)
	var n big.Int
	if v, err := strconv.ParseInt(string(digits), 10, 64); err == nil {
		n.SetInt64(v)
	} else {
		n.SetString(string(digits), 10)
	}
	s.total.Add(&s.total, n.Mul(&n, powers[sumPlaces-places]))
}

// String writes the sum with as many decimal places as the number that has most;
// empty: nothing was added.
func (s *Sum) String() string {
	if s.Added == 0 {
		return ""
	}
	var n big.Int
	n.Quo(&s.total, powers[sumPlaces-s.places])
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
		n.Abs(&n)
	}
	text := n.String()
	if s.places == 0 {
		return sign + text
	}
	for len(text) <= s.places {
		text = "0" + text
	}
	return sign + text[:len(text)-s.places] + "." + text[len(text)-s.places:]
}

// decimal reads a JSON number as digits, with a sign, and how many of them are
// decimal places.
func decimal(number []byte) (digits []byte, places int, ok bool) {
	digits = make([]byte, 0, 24)
	point := false
	for i, c := range number {
		switch {
		case c == '-' && i == 0:
			digits = append(digits, c)
		case c >= '0' && c <= '9':
			digits = append(digits, c)
			if point {
				places++
			}
		case c == '.' && !point:
			point = true
		case (c == 'e' || c == 'E') && i > 0:
			exponent, err := strconv.Atoi(string(number[i+1:]))
			if err != nil || exponent > sumDigits || exponent < -sumPlaces {
				return nil, 0, false
			}
			return scaled(digits, places-exponent)
		default:
			return nil, 0, false
		}
		if len(digits) > sumDigits+sumPlaces {
			return nil, 0, false
		}
	}
	return scaled(digits, places)
}

// scaled appends the zeros that a positive exponent asks for.
func scaled(digits []byte, places int) ([]byte, int, bool) {
	for ; places < 0; places++ {
		digits = append(digits, '0')
	}
	n := len(digits)
	if n > 0 && digits[0] == '-' {
		n--
	}
	return digits, places, n > 0 && places <= sumPlaces && n-places <= sumDigits
}
