# cmake -DINPUT=catalog.json -DOUTPUT=catalog_embedded.cpp -P embed.cmake
# Pieces of at most 8000 characters: compilers limit the length of one literal.
file(READ ${INPUT} text)
set(source "#include \"agent/cli/catalog.h\"\n\nnamespace hvagent::cli {\n\nconst char* embedded_catalog() {\n    return\n")
string(LENGTH "${text}" left)
set(from 0)
while(from LESS left)
    string(SUBSTRING "${text}" ${from} 8000 piece)
    string(APPEND source "R\"catalog(${piece})catalog\"\n")
    math(EXPR from "${from} + 8000")
endwhile()
string(APPEND source ";\n}\n\n}  // namespace hvagent::cli\n")
file(WRITE ${OUTPUT} "${source}")
