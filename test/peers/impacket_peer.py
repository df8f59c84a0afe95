# SPDX-License-Identifier: Apache-2.0
"""impacket as a third-party client of a host (docs/protocol.md §6): its RPC runtime binds, calls, fragments and reads faults, and its NDR engine parses the stubs
independently. Run by impacket.test.ts with Debian's own Python:

    impacket_peer.py PORT BODY_HEX...

PORT is a host on 127.0.0.1; each BODY_HEX is a KMS request body, sealed for that host's pool. Prints one JSON object of named results. It knows nothing of keys.
"""
import json
import struct
import sys

from impacket.dcerpc.v5 import rpcrt, transport
from impacket.dcerpc.v5.dtypes import LONG, ULONG
from impacket.dcerpc.v5.ndr import NDRCALL, NDRPOINTER, NDRUniConformantArray
from impacket.uuid import uuidtup_to_bin

KMS = uuidtup_to_bin(("51c82175-844e-4750-b0d8-ec255555bc06", "1.0"))
NDR32 = ("8a885d04-1ceb-11c9-9fe8-08002b104860", "2.0")
NDR64 = ("71710533-beba-4937-8319-b5dbef9ccc36", "1.0")


class Bytes(NDRUniConformantArray):
    item = "c"


class BytesPointer(NDRPOINTER):
    referent = (("Data", Bytes),)


class Activate(NDRCALL):
    opnum = 0
    structure = (("reqLen", LONG), ("req", Bytes))


class ActivateResponse(NDRCALL):
    structure = (("rspLen", LONG), ("rsp", BytesPointer), ("ErrorCode", ULONG))


def connect(port):
    dce = transport.DCERPCTransportFactory("ncacn_ip_tcp:127.0.0.1[%d]" % port).get_dce_rpc()
    dce.connect()
    return dce


def bound(port, syntax=NDR32, **options):
    dce = connect(port)
    dce.bind(KMS, transfer_syntax=syntax, **options)
    return dce


def request_stub(body, wide):
    call = Activate(isNDR64=wide)
    call["reqLen"] = len(body)
    call["req"] = body
    return call.getData()


def read_response(stub, wide):
    response = ActivateResponse(stub, isNDR64=wide)
    body = b"".join(response["rsp"]) if response["rspLen"] else b""
    return {
        "stubBytes": len(stub),
        "rspLen": response["rspLen"],
        "body": body.hex(),
        "hresult": response["ErrorCode"] & 0xFFFFFFFF,
        "lastWord": struct.unpack("<I", stub[-4:])[0],
    }


def activate(dce, body, wide=False, object_uuid=None):
    stub = request_stub(body, wide)
    dce.call(0, stub, uuid=object_uuid)
    return dict(read_response(dce.recv(), wide), requestBytes=len(stub))


def fault_of(port, provoke):
    dce = bound(port)
    try:
        provoke(dce)
        dce.recv()
        return "no fault"
    except rpcrt.DCERPCException as error:
        return str(error)
    finally:
        dce.disconnect()


def refused_bind(port, interface):
    try:
        dce = connect(port)
        dce.bind(interface)
        return "accepted"
    except rpcrt.DCERPCException as error:
        return str(error)


def main(port, bodies):
    results = {}
    for name, syntax, wide in (("ndr32", NDR32, False), ("ndr64", NDR64, True)):
        dce = bound(port, syntax)
        results[name] = [activate(dce, body, wide) for body in bodies]
        results[name + "Refusal"] = activate(dce, bytes(260), wide)
        dce.disconnect()

    # Below the least size of a legitimate stub each body takes several fragments.
    dce = bound(port)
    dce.set_max_fragment_size(100)
    results["fragments"] = [activate(dce, body) for body in bodies]
    dce.disconnect()

    dce = bound(port)
    results["object"] = activate(dce, bodies[0], object_uuid=bytes(range(16)))
    second = dce.alter_ctx(KMS)
    results["altered"] = activate(second, bodies[0])
    results["first"] = activate(dce, bodies[0])
    dce.disconnect()

    dce = bound(port, bogus_binds=3)
    results["bogus"] = activate(dce, bodies[0])
    dce.disconnect()

    stub = request_stub(bodies[0], False)
    results["faults"] = {
        "context": fault_of(port, lambda dce: (dce.set_ctx_id(9), dce.call(0, stub))),
        "opnum": fault_of(port, lambda dce: dce.call(7, b"")),
        "stub": fault_of(port, lambda dce: dce.call(0, b"\x01\x00\x00\x00\x02\x00\x00\x00")),
        "unknownInterface": refused_bind(port, uuidtup_to_bin(("e1af8308-5d1f-11c9-91a4-08002b14a0fa", "3.0"))),
    }
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), [bytes.fromhex(text) for text in sys.argv[2:]])
