package ride

import (
	"maps"
	"strings"
)

// currencies are the codes of ISO 4217 by the number of decimals of their minor unit.
// Source: list one of 2024-06-25 (SIX Financial Information, the maintenance agency),
// without the codes that have no minor unit (metals, drawing rights, tests), and with
// XCG, which amendment 176 added. Codes that later amendments withdrew stay, because
// trips were priced in them.
//
// Neither golang.org/x/text/currency nor a browser's Intl can take this table's place.
// Both follow CLDR, which has the decimals that shops use: 0 for HUF, IDR, COP and others
// whose minor unit ISO 4217 and payment providers count in hundredths.
var currencies = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD " +
		"CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP " +
		"GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL " +
		"MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN " +
		"QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD " +
		"TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
}

var currencyDigits = func() map[string]int {
	byCode := make(map[string]int)
	for digits, codes := range currencies {
		for code := range strings.FieldsSeq(codes) {
			byCode[code] = digits
		}
	}
	return byCode
}()

// CurrencyDigits returns how many decimals the minor unit of an ISO 4217 currency has: 2
// for USD, whose minor unit is the cent, 0 for JPY. It reports false for codes that ISO
// 4217 does not have.
func CurrencyDigits(code string) (int, bool) {
	digits, ok := currencyDigits[code]
	return digits, ok
}

// AllCurrencyDigits returns CurrencyDigits of every currency. The map is the caller's.
func AllCurrencyDigits() map[string]int { return maps.Clone(currencyDigits) }
