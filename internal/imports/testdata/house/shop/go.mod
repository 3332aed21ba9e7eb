module example.test/house/shop

go 1.26.0

require example.test/house v0.0.0

replace example.test/house => ..
