// Class ids in a C++ program: edge-arseg writes a byte for each pixel into a pipe, frame after frame.
//
//   g++ -O2 -std=c++17 examples/class_areas.cpp -o class_areas
//   edge-arseg run drive.mp4 raw://- -b camvid-compact-int8 --output-size 360x480 -q | ./class_areas 360 480
//
// It prints a line for each frame: its number, and the share of each class id that is in it. 255 is no class.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

int main(int count, char** arguments) {
    const long rows = count == 3 ? std::atol(arguments[1]) : 0;
    const long columns = count == 3 ? std::atol(arguments[2]) : 0;
    if (rows <= 0 || columns <= 0) {
        std::cerr << "usage: edge-arseg run SOURCE raw://- --output-size ROWSxCOLUMNS | class_areas ROWS COLUMNS\n";
        return 2;
    }
    std::vector<std::uint8_t> ids(static_cast<std::size_t>(rows * columns));
    const auto size = static_cast<std::streamsize>(ids.size());
    for (long frame = 0; std::cin.read(reinterpret_cast<char*>(ids.data()), size); ++frame) {
        std::array<std::size_t, 256> pixels{};
        for (const std::uint8_t id : ids) {
            ++pixels[id];
        }
        std::cout << frame;
        for (std::size_t id = 0; id < pixels.size(); ++id) {
            if (pixels[id] > 0) {
                std::cout << ' ' << id << ':' << static_cast<double>(pixels[id]) / static_cast<double>(ids.size());
            }
        }
        std::cout << std::endl;
    }
    if (std::cin.gcount() > 0) {
        std::cerr << "the last frame has " << std::cin.gcount() << " of " << size << " bytes: is the size right?\n";
        return 1;
    }
    return 0;
}
