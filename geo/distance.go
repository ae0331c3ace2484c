package geo

import "math"

// earthRadiusM is the mean radius R1 of the Earth (H. Moritz, "Geodetic Reference System 1980",
// Journal of Geodesy 74, 2000). On a sphere of this radius the error of a distance is at most
// 0.5 %.
const earthRadiusM = 6_371_008.8

const radians = math.Pi / 180

// DistanceM returns the great-circle distance in metres by the haversine formula
// (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68(2), 1984), which
// keeps its precision for near points. It needs no care at the antimeridian or the
// poles. The points must be valid. It does not allocate.
func DistanceM(a, b Point) float64 {
	sinLat := math.Sin((b.Lat - a.Lat) / 2 * radians)
	sinLng := math.Sin((b.Lng - a.Lng) / 2 * radians)
	h := sinLat*sinLat + math.Cos(a.Lat*radians)*math.Cos(b.Lat*radians)*sinLng*sinLng
	return 2 * earthRadiusM * math.Asin(math.Sqrt(math.Min(1, h)))
}

// BearingDeg returns the direction in which the great circle from a to b starts:
// degrees clockwise from north, from 0 up to but not including 360. For equal points
// it is 0.
func BearingDeg(a, b Point) float64 {
	if a == b {
		return 0
	}
	dLng := (b.Lng - a.Lng) * radians
	sinA, cosA := math.Sincos(a.Lat * radians)
	sinB, cosB := math.Sincos(b.Lat * radians)
	deg := math.Atan2(math.Sin(dLng)*cosB, cosA*sinB-sinA*cosB*math.Cos(dLng)) / radians
	if deg < 0 {
		deg += 360
	}
	if deg >= 360 { // a negative angle too small to matter rounds up to the full circle
		return 0
	}
	return deg
}

// Destination returns the point that lies metres from p along the great circle that
// starts at bearingDeg. It works with vectors, because the usual arcsine form is wrong
// by centimetres near a pole. The longitude is from -180 to 180.
func Destination(p Point, bearingDeg, metres float64) Point {
	sinLat, cosLat := math.Sincos(p.Lat * radians)
	sinLng, cosLng := math.Sincos(p.Lng * radians)
	sinB, cosB := math.Sincos(bearingDeg * radians)
	sinD, cosD := math.Sincos(metres / earthRadiusM)
	// The unit vector of p, turned by the distance towards north·cos + east·sin.
	x := cosLat*cosLng*cosD + (-sinLat*cosLng*cosB-sinLng*sinB)*sinD
	y := cosLat*sinLng*cosD + (-sinLat*sinLng*cosB+cosLng*sinB)*sinD
	z := sinLat*cosD + cosLat*cosB*sinD
	return Point{
		Lat: math.Atan2(z, math.Hypot(x, y)) / radians,
		Lng: math.Atan2(y, x) / radians,
	}
}
