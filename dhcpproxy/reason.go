package dhcpproxy

// A Reason says why a packet got no answer.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	ReasonNone           Reason = iota // the packet was answered
	ReasonBusy                         // every worker was busy
	ReasonOversized                    // longer than an Ethernet frame carries
	ReasonMalformed                    // not a BOOTP message with well-formed options
	ReasonNotRequest                   // a reply, perhaps one of our own
	ReasonHardwareType                 // not Ethernet, or an address that is not six bytes
	ReasonHardwareAddr                 // a zero or multicast hardware address
	ReasonInterface                    // arrived on an interface that is not served
	ReasonDestination                  // addressed to another host
	ReasonBOOTP                        // no message type: plain BOOTP
	ReasonMessageType                  // not a message that a boot server answers on that port
	ReasonOtherServer                  // meant for another DHCP server
	ReasonVendorClass                  // not a network boot: option 60 is missing or says otherwise
	ReasonNoArch                       // option 93 is missing
	ReasonBadArch                      // option 93 is empty or has an odd length
	ReasonRelay                        // came through a relay agent that is not allowed
	ReasonSource                       // asked on port 4011 from a network that is not allowed
	ReasonBIS                          // wants Boot Integrity Services
	ReasonNoAddress                    // the interface has no IPv4 address to name as the server's
	ReasonRateLimited                  // the machine asks too often
	ReasonDeclined                     // the handler chose silence
	ReasonHandlerError                 // the handler failed
	ReasonHandlerTimeout               // the handler took too long
	ReasonHandlerPanic                 // the handler panicked
	ReasonOfferInvalid                 // the handler's offer cannot be sent
	ReasonReplyTooLarge                // the reply is larger than the client takes
	ReasonSendFailed                   // the reply could not be sent
	ReasonShutdown                     // the server was told to stop meanwhile
	numReasons
)

// String returns a name for logs and metrics, such as "vendor_class".
func (r Reason) String() string { return r.texts()[0] }

// Text returns a sentence for people, without a full stop.
func (r Reason) Text() string { return r.texts()[1] }

func (r Reason) texts() [2]string {
	all := [numReasons][2]string{
		{"none", "it is answered"},
		{"busy", "every worker was busy; raise WithWorkers or make the handler faster"},
		{"oversized", "it is longer than an Ethernet frame carries"},
		{"malformed", "it is not a BOOTP message with well-formed options"},
		{"not_request", "it is a reply, not a request"},
		{"hardware_type", "its hardware type is not Ethernet, or its hardware address is not six bytes long"},
		{"hardware_addr", "its hardware address is zero or multicast"},
		{"interface", "it arrived on an interface that is not served; see WithInterfaces"},
		{"destination", "it is addressed to another host"},
		{"bootp", "it is plain BOOTP: option 53 is missing"},
		{"message_type", "a boot server does not answer this message type on this port"},
		{"other_server", "it is meant for another DHCP server"},
		{"vendor_class", "it is not a network boot: option 60 begins with neither PXEClient nor HTTPClient"},
		{"no_arch", "option 93, the architecture, is missing"},
		{"bad_arch", "option 93, the architecture, is empty or has an odd length"},
		{"relay", "its relay agent is not allowed; see WithRelays"},
		{"source", "it asks port 4011 from a network that is neither local nor allowed; see WithRelays"},
		{"bis", "it wants Boot Integrity Services, which are not supported"},
		{"no_address", "the interface has no IPv4 address to name as the server's; see WithAdvertise"},
		{"rate_limited", "the machine asks too often; see WithRateLimit"},
		{"declined", "the handler chose silence for this machine"},
		{"handler_error", "the handler failed"},
		{"handler_timeout", "the handler took too long; see WithHandlerTimeout"},
		{"handler_panic", "the handler panicked"},
		{"offer_invalid", "what the handler offers cannot be sent"},
		{"reply_too_large", "the reply is larger than the client takes"},
		{"send_failed", "the reply could not be sent"},
		{"shutdown", "the server was told to stop meanwhile"},
	}
	if int(r) >= len(all) {
		return [2]string{"unknown", "unknown"}
	}
	return all[r]
}
