# The sum of two whole numbers.
calculate() {
    echo $(($1 + $2))
}
