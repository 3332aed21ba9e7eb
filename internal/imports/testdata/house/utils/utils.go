package utils // want "./utils stands in no room"
