package ride_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestCurrencyDigits compares the table with what ISO 4217 says of the currencies that
// do not have two decimals, and of those where browsers differ.
func TestCurrencyDigits(t *testing.T) {
	other := map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	}
	all := ride.AllCurrencyDigits()
	require.Len(t, all, 168)
	for code, digits := range all {
		require.Regexp(t, "^[A-Z]{3}$", code)
		if codes := strings.Fields(other[digits]); digits != 2 {
			require.True(t, slices.Contains(codes, code), "%s has %d", code, digits)
		}
	}
	for digits, codes := range other {
		for code := range strings.FieldsSeq(codes) {
			require.Equal(t, digits, all[code], code)
		}
	}
	for code := range strings.FieldsSeq("AFN ALL COP HUF IDR IRR KPW LAK LBP MGA MMK PKR SOS SYP YER USD EUR INR") {
		require.Equal(t, 2, all[code], code)
	}
	for code := range strings.FieldsSeq("XAU XXX XTS XDR ABC usd US USDX") {
		_, ok := ride.CurrencyDigits(code)
		require.False(t, ok, code)
	}
	all["USD"] = 7
	digits, ok := ride.CurrencyDigits("USD")
	require.True(t, ok)
	require.Equal(t, 2, digits, "the map is the caller's own")
}
