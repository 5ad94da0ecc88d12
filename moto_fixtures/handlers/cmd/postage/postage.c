/* A shared library of the company's own, as packages with cgo bring them along. */
#include "postage.h"

int postage_cents(int grams)
{
    return 250 + 40 * ((grams + 499) / 500);
}
