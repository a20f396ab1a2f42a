// The minder alone, without a daemon around it.
#include "drivers/process/lasting_commands.h"

int main(int, char** argv) {
    return hvagent::mind(argv[1]);
}
