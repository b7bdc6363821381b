// The tunnel's interface: a TUN device that lives as long as a descriptor of it is open.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/device/limits.h"
#include "causeway/error/error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::device {

/// An interface of ours. It vanishes, with its addresses and routes, when the last copy of the
/// descriptor is closed.
struct Tun {
    /// Non-blocking, close-on-exec; a virtio header before each packet.
    std::vector<Fd> queues;
    std::string name;  ///< As the kernel has it.
    int index = 0;
};

/// Whether a name may be an interface's: 1 to 15 printable ASCII characters, no '/', ':' or '%',
/// not
/// "." or "..". Fails with INVALID_PARAMETER_VALUE, which names the character.
Result<void> check_interface_name(std::string_view name);

/// Makes a TUN interface with short queues, one or more, whose packets have a virtio header in
/// front where the kernel can: datapath/tun_port.h finds out and reads them. Without a name the
/// kernel chooses the next free "cw0", "cw1" …. Fails with configurationFailed resting on
///   VPN_CREATION_DENIED <- EPERM or EACCES (no right to make one),
///   CAPABILITY_NOT_SUPPORTED <- ENOENT, ENODEV or ENXIO (no TUN in this kernel),
///   VPN_ALREADY_EXISTS <- EBUSY (the name is taken; evidence says by whom, where that shows),
///   INVALID_PARAMETER_VALUE (the name), or SYSTEM_INTERNAL_ERROR <- anything else.
Result<Tun> open_tun(std::string_view name = {}, std::size_t queue_count = 1,
                     std::uint32_t queue_length = tun_queue_length);

}  // namespace causeway::device
