"""Which domains hand out mailboxes to anybody? The list shipped with this version (behaviour.md D-44).

Domains only, in canonical form. An account may add or remove some; what is in force then stands in its
`Directory`. `FREE_MAIL_VERSION` changes with every change of the list.
"""

from __future__ import annotations

from typing import Final

FREE_MAIL_VERSION: Final = "1"

_SHIPPED: Final = """
    gmail.com googlemail.com
    outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.jp outlook.com.br outlook.com.au
    hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.ca hotmail.nl hotmail.se
    live.com live.co.uk live.de live.fr live.it live.nl live.ca live.com.au live.se msn.com passport.com
    windowslive.com
    yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ca yahoo.co.in yahoo.in yahoo.co.jp
    yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.com.ar yahoo.com.sg yahoo.com.ph yahoo.co.id yahoo.co.nz
    ymail.com rocketmail.com myyahoo.com
    aol.com aol.co.uk aol.de aol.fr aim.com love.com verizon.net
    icloud.com me.com mac.com
    proton.me protonmail.com protonmail.ch pm.me
    tutanota.com tutanota.de tutamail.com tuta.io tuta.com keemail.me
    gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.us gmx.co.uk gmx.fr web.de email.de freenet.de t-online.de
    mail.com email.com usa.com post.com consultant.com europe.com engineer.com myself.com dr.com
    fastmail.com fastmail.fm hushmail.com hushmail.me runbox.com mailfence.com posteo.de posteo.net
    mailbox.org startmail.com disroot.org riseup.net zoho.com zohomail.com zohomail.eu inbox.com lycos.com
    yandex.ru yandex.com yandex.ua yandex.by yandex.kz ya.ru mail.ru inbox.ru list.ru bk.ru internet.ru
    rambler.ru lenta.ru autorambler.ru ro.ru ukr.net i.ua meta.ua bigmir.net
    qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn wo.cn 21cn.com
    tom.com aliyun.com
    naver.com daum.net hanmail.net nate.com kakao.com
    rediffmail.com sify.com indiatimes.com
    orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr
    libero.it virgilio.it tiscali.it alice.it tin.it
    seznam.cz email.cz centrum.cz post.cz centrum.sk azet.sk zoznam.sk
    wp.pl o2.pl onet.pl op.pl interia.pl poczta.onet.pl gazeta.pl tlen.pl
    abv.bg mail.bg freemail.hu citromail.hu
    uol.com.br bol.com.br terra.com.br ig.com.br globo.com
    btinternet.com sky.com talktalk.net ntlworld.com virginmedia.com blueyonder.co.uk
    comcast.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com netzero.net
    shaw.ca sympatico.ca rogers.com bigpond.com optusnet.com.au iinet.net.au xtra.co.nz
    walla.co.il walla.com mynet.com
    mailinator.com guerrillamail.com 10minutemail.com yopmail.com
"""

FREE_MAIL_DOMAINS: Final = frozenset(_SHIPPED.split())
"""Mailboxes that anybody can have, for money or not, under a name that says nothing about the owner."""
