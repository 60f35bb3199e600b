// An array on the stack that a function of the C library fills, with a length that the compiler cannot know: a place for each protection that it adds.
#include <cstdio>

int main(int count, char**) {
    char text[64];
    if (std::fgets(text, 8 * count, stdin) != nullptr) std::puts(text);
    return 0;
}
