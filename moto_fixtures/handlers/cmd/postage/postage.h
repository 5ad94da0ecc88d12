#ifndef POSTAGE_H
#define POSTAGE_H

/* Price in cents of a parcel of so many grams. */
int postage_cents(int grams);

#endif
