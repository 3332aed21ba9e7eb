package storm
