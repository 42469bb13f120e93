/* math_gamma.c - the gamma function and the logarithm of its magnitude, by Lanczos's approximation
 * with 13 terms for 53 bits (the coefficients are those published with the Boost libraries), which
 * is what CPython's last digits come from.
 */
#include "stdlib/math_module.h"

enum { TERMS = 13, FACTORIALS = 23 };
static const double g = 6.024680040776729583740234375, g_minus_half = 5.524680040776729583740234375;
static const double pi = 3.141592653589793238462643383279502884197;
static const double log_pi = 1.144729885849400174143427351353058711647;

static const double numerators[TERMS] = {
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
};
static const double denominators[TERMS] = {
    /* x (x + 1) ... (x + 11), expanded */
    0.0,       39916800.0, 120543840.0, 150917976.0, 105258076.0, 45995730.0, 13339535.0,
    2637558.0, 357423.0,   32670.0,     1925.0,      66.0,        1.0,
};

static double lanczos_sum(double x) {
    double top = 0.0, bottom = 0.0;
    for (int i = 0; i < TERMS; i++) {
        int term = x < 5.0 ? TERMS - 1 - i : i; /* from the large end, so that nothing overflows */
        top = (x < 5.0 ? top * x : top / x) + numerators[term];
        bottom = (x < 5.0 ? bottom * x : bottom / x) + denominators[term];
    }
    return top / bottom;
}

/* sin(pi x), exact about what multiple of pi/2 is near. */
static double sin_pi(double x) {
    double y = fmod(fabs(x), 2.0), result = 0.0;
    switch ((int)round(2.0 * y)) {
    case 0: result = sin(pi * y); break;
    case 1: result = cos(pi * (y - 0.5)); break;
    case 2: result = sin(pi * (1.0 - y)); break;
    case 3: result = -cos(pi * (y - 1.5)); break;
    case 4: result = sin(pi * (y - 2.0)); break;
    }
    return copysign(1.0, x) * result;
}

static double factorial_of(int n) {
    double product = 1.0;
    for (int i = 2; i <= n; i++)
        product *= i;
    return product;
}

/* r times (or through) y^(|x| - 1/2), in two steps where the power alone would overflow. */
static double scale_by_power(double r, double y, double x, bool divide) {
    double power = x < 140.0 ? pow(y, x - 0.5) : pow(y, x / 2.0 - 0.25);
    r = divide ? r / power : r * power;
    if (x < 140.0) return r;
    return divide ? r / power : r * power;
}

double math_gamma(double x) {
    if (isnan(x) || (isinf(x) && x > 0)) return x;
    if (isinf(x) || x == 0 || (x == floor(x) && x < 0)) return NAN;
    if (x == floor(x) && x <= FACTORIALS) return factorial_of((int)x - 1);
    double size = fabs(x);
    if (size < 1e-20) return 1.0 / x;
    if (size > 200.0) return x < 0 ? 0.0 / sin_pi(x) : HUGE_VAL;
    double y = size + g_minus_half; /* and what the rounding of that sum lost: */
    double lost = size > g_minus_half ? (y - size) - g_minus_half : (y - g_minus_half) - size;
    lost = lost * g / y;
    if (x < 0) {
        double r = -pi / sin_pi(size) / size * exp(y) / lanczos_sum(size);
        return scale_by_power(r - lost * r, y, size, true);
    }
    double r = lanczos_sum(size) / exp(y);
    return scale_by_power(r + lost * r, y, size, false);
}

double math_lgamma(double x) {
    if (isnan(x)) return x;
    if (isinf(x)) return HUGE_VAL;
    if (x == floor(x) && x <= 2.0) return x <= 0 ? NAN : 0.0;
    double size = fabs(x);
    if (size < 1e-20) return -log(size);
    double r = log(lanczos_sum(size)) - g;
    r += (size - 0.5) * (log(size + g - 0.5) - 1);
    return x < 0 ? log_pi - log(fabs(sin_pi(size))) - log(size) - r : r;
}
