package tripfile

import (
	"math"
	"strconv"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Column is one value of each line.
type Column struct {
	// Name is the column's heading in CSV and the key in JSON. It ends in the unit, if there is one.
	Name string
	// Doc says what the value means and when it is missing.
	Doc string

	of func(*ride.Trip) cell
}

// Columns are the columns in the order of a line. New ones are added at the end, so that files of
// several versions have the same beginning. The caller owns the slice.
func Columns() []Column {
	return []Column{
		{"trip_id", "The trip's id.", func(t *ride.Trip) cell { return text(string(t.ID)) }},
		{"status", "`requested`, `matched`, `arrived`, `in_progress`, `completed`, `cancelled` or `expired`, when the line was written.",
			func(t *ride.Trip) cell { return text(string(t.Status)) }},
		{"requested_at", "When the rider requested the trip.", func(t *ride.Trip) cell { return instant(t.RequestedAt) }},
		{"matched_at", "When the driver won it; missing without a driver.", func(t *ride.Trip) cell { return instant(t.MatchedAt) }},
		{"arrived_at", "When the driver reported the arrival at the pickup; missing before.", func(t *ride.Trip) cell { return instant(t.ArrivedAt) }},
		{"started_at", "When the ride started; missing before.", func(t *ride.Trip) cell { return instant(t.StartedAt) }},
		{"ended_at", "When the trip was completed, cancelled or expired; missing before.", func(t *ride.Trip) cell { return instant(t.EndedAt) }},
		{"vehicle_class", "The requested class.", func(t *ride.Trip) cell { return text(t.Request.Class) }},
		{"passengers", "How many people ride.", func(t *ride.Trip) cell { return whole(int64(t.Request.Passengers)) }},
		{"rider_id", "The rider's account.", func(t *ride.Trip) cell { return text(string(t.Request.Rider.ID)) }},
		{"rider_first_name", "The first name at the time of the request; missing once the account is erased.",
			func(t *ride.Trip) cell { return text(t.Request.Rider.FirstName) }},
		{"driver_id", "The driver's account; missing without a driver.", func(t *ride.Trip) cell { return text(string(t.DriverID())) }},
		{"driver_first_name", "The first name at the time of the match; missing without a driver and once the account is erased.",
			func(t *ride.Trip) cell { return text(driver(t).FirstName) }},
		{"driver_plate", "The plate at the time of the match; missing without a driver and once the account is erased.",
			func(t *ride.Trip) cell { return text(driver(t).Plate) }},
		{"pickup_lat_deg", "The pickup's latitude, in WGS84 degrees; once the rider is erased, that of the centre of its H3 cell.",
			func(t *ride.Trip) cell { return degrees(latE7(t.Request.Pickup)) }},
		{"pickup_lng_deg", "The pickup's longitude, likewise.", func(t *ride.Trip) cell { return degrees(lngE7(t.Request.Pickup)) }},
		{"pickup_address", "As the rider's app named it; missing if it did not, and once the rider is erased.",
			func(t *ride.Trip) cell { return text(t.Request.PickupAddress) }},
		{"dropoff_lat_deg", "The requested drop-off's latitude, like the pickup's.", func(t *ride.Trip) cell { return degrees(latE7(t.Request.Dropoff)) }},
		{"dropoff_lng_deg", "The requested drop-off's longitude, like the pickup's.", func(t *ride.Trip) cell { return degrees(lngE7(t.Request.Dropoff)) }},
		{"dropoff_address", "Like the pickup's.", func(t *ride.Trip) cell { return text(t.Request.DropoffAddress) }},
		{"note", "The rider's note for the driver; missing if there is none, and once the rider is erased.",
			func(t *ride.Trip) cell { return text(t.Request.Note) }},
		{"drivers_asked", "How many drivers were offered the trip.", func(t *ride.Trip) cell { return whole(int64(t.Search.Asked)) }},
		{"pickup_eta_s", "The driver's estimated way to the pickup when matched, in seconds; missing without a driver.",
			func(t *ride.Trip) cell { return whole(seconds(t.PickupETA)).onlyIf(t.Driver != nil) }},
		{"estimated_distance_m", "The estimated length of the ride, in metres.", func(t *ride.Trip) cell { return whole(metres(t.Estimate.DistanceM)) }},
		{"estimated_duration_s", "The estimated duration of the ride, in seconds.", func(t *ride.Trip) cell { return whole(seconds(t.Estimate.Duration)) }},
		{"estimated_fare_minor", "The estimated fare, in minor units of `currency`.", func(t *ride.Trip) cell { return whole(t.Estimate.Fare.Total) }},
		{"distance_m", "The distance that the fare is for, in metres; missing unless completed.",
			func(t *ride.Trip) cell { return whole(metres(fare(t).DistanceM)).onlyIf(t.Fare != nil) }},
		{"duration_s", "The duration that the fare is for, in seconds; missing unless completed.",
			func(t *ride.Trip) cell { return whole(seconds(fare(t).Duration)).onlyIf(t.Fare != nil) }},
		{"distance_basis", "Where the distance is from: `measured`, `streets`, `partly_estimated` or `estimated`; missing unless completed, and in old trips.",
			func(t *ride.Trip) cell { return text(string(fare(t).Basis)) }},
		{"fare_minor", "The fare, in minor units of `currency`; missing unless completed.", func(t *ride.Trip) cell { return whole(fare(t).Total).onlyIf(t.Fare != nil) }},
		{"currency", "ISO 4217.", func(t *ride.Trip) cell { return text(currency(t)) }},
		{"currency_digits", "How many decimals the currency's minor unit has: divide amounts by 10 to this power.",
			func(t *ride.Trip) cell {
				digits, known := ride.CurrencyDigits(currency(t))
				return whole(int64(digits)).onlyIf(known)
			}},
		{"cancelled_by", "`rider`, `driver`, `operator` or `system`; missing unless cancelled.", func(t *ride.Trip) cell { return text(string(cancellation(t).By)) }},
		{"cancellation_reason", "Missing unless one was given, and once one of the two people is erased.",
			func(t *ride.Trip) cell { return text(cancellation(t).Reason) }},
		{"stars_by_rider", "1 to 5; missing if the rider gave none.", func(t *ride.Trip) cell { return whole(int64(t.StarsByRider)).onlyIf(t.StarsByRider > 0) }},
		{"stars_by_driver", "1 to 5; missing if the driver gave none.", func(t *ride.Trip) cell { return whole(int64(t.StarsByDriver)).onlyIf(t.StarsByDriver > 0) }},
		{"streets_verdict", "Whether the length along streets counts: `counts`, `gaps`, `off_streets`, `shorter`, `longer` or `late`; missing unless the two were compared.",
			func(t *ride.Trip) cell { return text(string(streets(t).Verdict)) }},
		{"streets_distance_m", "The length along streets, in metres; missing if none is known.",
			func(t *ride.Trip) cell { return whole(metres(streets(t).LengthM)).onlyIf(streets(t).LengthM > 0) }},
		{"positions_distance_m", "The length that positions measured, in metres; missing unless the two were compared.",
			func(t *ride.Trip) cell { return whole(metres(streets(t).PositionsM)).onlyIf(streets(t).Verdict != "") }},
	}
}

func driver(t *ride.Trip) ride.DriverCard {
	if t.Driver == nil {
		return ride.DriverCard{}
	}
	return *t.Driver
}

func fare(t *ride.Trip) ride.Fare {
	if t.Fare == nil {
		return ride.Fare{}
	}
	return *t.Fare
}

func streets(t *ride.Trip) ride.StreetCheck {
	if c := fare(t).Streets; c != nil {
		return *c
	}
	return ride.StreetCheck{}
}

func cancellation(t *ride.Trip) ride.Cancellation {
	if t.Cancellation == nil {
		return ride.Cancellation{}
	}
	return *t.Cancellation
}

// currency is that of the fare and the estimate, which have the same tariff.
func currency(t *ride.Trip) string { return t.Estimate.Fare.Currency }

func latE7(p geo.Point) int32 {
	lat, _ := p.E7()
	return lat
}

func lngE7(p geo.Point) int32 {
	_, lng := p.E7()
	return lng
}

func metres(m float64) int64 { return int64(math.Round(max(m, 0))) }

func seconds(d time.Duration) int64 { return int64(max(d, 0).Round(time.Second) / time.Second) }

// cell is one value of a line, as text that both formats share.
type cell struct {
	value string
	// words may hold anything that a person wrote: JSON quotes them, CSV disarms them.
	words bool
}

// missing reports whether the value is left empty in CSV, and null in JSON.
func (c cell) missing() bool { return c.value == "" }

func (c cell) onlyIf(known bool) cell {
	if !known {
		return cell{}
	}
	return c
}

func text(s string) cell { return cell{value: s, words: true} }

func whole(n int64) cell { return cell{value: strconv.FormatInt(n, 10)} }

// timeForm is RFC 3339 in UTC to the microsecond, as the database has it: of one length, so that
// times sort as text.
const timeForm = "2006-01-02T15:04:05.000000Z"

func instant(t time.Time) cell {
	if t.IsZero() {
		return cell{}
	}
	return text(t.UTC().Format(timeForm))
}

// degrees writes ten-millionths of a degree exactly.
func degrees(e7 int32) cell {
	return cell{value: strconv.FormatFloat(float64(e7)/1e7, 'f', 7, 64)}
}
