# SPDX-License-Identifier: Apache-2.0
"""A camera on the net: an RTSP server (RFC 2326) for one file of MPEG-TS, sent over and over again
as RTP (RFC 2250) inside the RTSP connection. For tests on one machine."""

import contextlib
import socket
import struct
import threading
import time

TS_PACKETS, TS_BYTES = 7, 188
SDP = ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\n"
       "m=video 0 RTP/AVP 33\r\na=control:track1\r\n")


class RtspServer:
    def __init__(self, data, seconds, port=0):
        """data: the file's bytes, which last for so many seconds."""
        step = TS_PACKETS * TS_BYTES
        self.chunks = [data[i:i + step] for i in range(0, len(data), step)]
        self.pause = seconds / len(self.chunks)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.sockets = [self.listener]
        self.threads = [threading.Thread(target=self.accept)]
        self.stopped = threading.Event()
        self.threads[0].start()

    def stop(self):
        self.stopped.set()
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self.threads:
            thread.join()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.sockets.append(client)
                self.threads.append(threading.Thread(target=self.serve, args=(client,)))
                self.threads[-1].start()

    def serve(self, client):
        with contextlib.suppress(OSError), client.makefile("rb") as requests:
            while line := requests.readline():
                if line[:1] == b"$" or b"RTSP/1.0" not in line:
                    continue
                headers = {}
                while (header := requests.readline().strip()):
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                self.answer(client, line.split()[0].decode(), headers)

    def answer(self, client, method, headers):
        reply, body = ["RTSP/1.0 200 OK", f"CSeq: {headers['cseq']}", "Session: 1"], ""
        if method == "OPTIONS":
            reply.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        if method == "DESCRIBE":
            body = SDP
            reply += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        if method == "SETUP" and "TCP" not in headers["transport"]:
            reply[0] = "RTSP/1.0 461 Unsupported Transport"
        elif method == "SETUP":
            reply.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        client.sendall("\r\n".join([*reply, "", body]).encode())
        if method == "PLAY":
            self.threads.append(threading.Thread(target=self.send, args=(client,)))
            self.threads[-1].start()

    def send(self, client):
        number = 0
        with contextlib.suppress(OSError):
            while not self.stopped.is_set():
                chunk = self.chunks[number % len(self.chunks)]
                rtp = struct.pack(">BBHII", 0x80, 33, number & 0xffff,
                                  int(number * self.pause * 90000) & 0xffffffff, 1)
                client.sendall(struct.pack(">cBH", b"$", 0, len(rtp) + len(chunk)) + rtp + chunk)
                number += 1
                time.sleep(self.pause)
