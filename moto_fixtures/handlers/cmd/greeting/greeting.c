/* A program that was never Go. */
#include <stdio.h>

int main(void)
{
    return puts("hello") < 0;
}
